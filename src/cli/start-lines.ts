/** What a program that stays prints when it has started: one line then if it is not ready, and one when it is. */
import type { Running } from '../app/start.ts';
import type { Output } from './output.ts';

export function tellStart({ hubUrl, health, becameReady }: Running, output: Output): void {
  const { ready, problems } = health();
  const isReady = () =>
    output.result(`lark-bridge is ready: hub ${hubUrl}`, { event: 'ready', hub_url: hubUrl });
  if (ready) return isReady();
  output.result(
    `lark-bridge has started, and is not ready yet: hub ${hubUrl}\n${problems[0]?.text ?? ''}`,
    { event: 'started', hub_url: hubUrl },
  );
  void becameReady.then(isReady);
}
