/** The folders that the owner lets agents work in. */
export interface FolderStore {
  /** Absolute paths without symbolic links, in the order in which they were added. */
  folders(): Promise<readonly string[]>;
  /** False if it is there already. */
  addFolder(path: string, atMs: number): Promise<boolean>;
  /** False if it is not there. */
  removeFolder(path: string): Promise<boolean>;
}
