/** Reads a file that somebody else may have written. */
import { constants, promises } from 'node:fs';

/** The whole file. Rejects with an error of the system for a link, for what is no file, and for more than `bytesMax`. */
export async function readWhole(path: string, bytesMax: number): Promise<Buffer> {
  // A pipe would be waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await promises.open(path, flags);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw systemError('EINVAL', 'it is no plain file');
    if (stat.size > bytesMax) throw systemError('EFBIG', 'it is too large');
    return await file.readFile();
  } finally {
    await file.close();
  }
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall: 'read' });
}
