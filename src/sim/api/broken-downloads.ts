/** Downloads that don't end as they should. */
import type { ServerResponse } from 'node:http';
import type { Cloud } from '../cloud.ts';
import type { Answer, Call, DownloadEnding } from './http.ts';

const ENDINGS: readonly DownloadEnding[] = ['cut', 'hang', 'endless'];
const CHUNK = Buffer.alloc(1024 * 1024, 'x');

/** The answer with a fault, if one happens to this download. */
export function withFault(cloud: Cloud, call: Call, answer: Answer): Answer {
  const context = { appId: call.app?.appId, path: call.path, method: call.method };
  const ending = ENDINGS.find((one) => cloud.faults.take(`download_${one}`, context));
  return ending === undefined ? answer : { ...answer, ending };
}

/** Sends what there is to send of a body. The head is not written yet. */
export function sendBroken(response: ServerResponse, body: Buffer, ending: DownloadEnding): void {
  // How much comes is not said beforehand.
  if (ending === 'endless') response.removeHeader('Content-Length');
  response.flushHeaders();
  if (ending === 'endless') return sendForEver(response);
  response.write(body.subarray(0, Math.ceil(body.length / 2)), () => {
    if (ending === 'cut') response.destroy();
  });
}

function sendForEver(response: ServerResponse): void {
  const more = () => {
    while (!response.destroyed && response.write(CHUNK));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
