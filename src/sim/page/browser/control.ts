/** The calls of the simulator's control API that the page makes. */
import { notice } from './notices.ts';

const CONTROL = '/_control';

type Fields = Readonly<Record<string, unknown>>;

/** Undefined if the call was refused. The person is told then. */
export async function control<T>(
  method: 'POST' | 'DELETE',
  path: string,
  fields: Fields,
): Promise<T | undefined> {
  return answerOf<T>(CONTROL + path, { method, body: JSON.stringify(fields) });
}

interface Upload {
  readonly from: string;
  readonly kind: 'image' | 'file';
  readonly file: File;
}

/** The key of the uploaded bytes. */
export async function uploaded({ from, kind, file }: Upload): Promise<string | undefined> {
  const query = new URLSearchParams({ from, kind, fileName: file.name });
  if (file.type !== '') query.set('contentType', file.type);
  if (kind === 'file') query.set('fileType', fileTypeOf(file.name));
  const answer = await answerOf<{ readonly key: string }>(
    `${CONTROL}/uploads?${query.toString()}`,
    {
      method: 'POST',
      body: file,
    },
  );
  return answer?.key;
}

async function answerOf<T>(address: string, init: RequestInit): Promise<T | undefined> {
  try {
    const response = await fetch(address, init);
    const body = (await response.json()) as T & { readonly error?: string };
    if (response.ok) return body;
    notice(body.error ?? `The simulator answered ${response.status}.`, 'error');
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    notice('The simulator does not answer. Is it still running?', 'error');
  }
  return undefined;
}

const FILE_TYPES: Readonly<Record<string, string>> = {
  opus: 'opus',
  mp4: 'mp4',
  pdf: 'pdf',
  doc: 'doc',
  docx: 'doc',
  xls: 'xls',
  xlsx: 'xls',
  ppt: 'ppt',
  pptx: 'ppt',
};

function fileTypeOf(fileName: string): string {
  const ending = fileName.split('.').at(-1)?.toLowerCase() ?? '';
  return Object.hasOwn(FILE_TYPES, ending) ? (FILE_TYPES[ending] ?? 'stream') : 'stream';
}
