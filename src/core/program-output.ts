/** The last output of a program that failed or ended without an answer, for the operator. It is short and without secrets. */
export interface ProgramOutput {
  readonly stdout: string;
  readonly stderr: string;
}
