/** The last that a program said before it failed or ended without an answer, for the operator. Bounded, secrets masked. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}
