import { CONTROL_PREFIX } from '../api/api-server.ts';
import { CHAT_COMMANDS } from './control-chats.ts';
import { ControlFields } from './control-fields.ts';
import { WEATHER_COMMANDS } from './control-weather.ts';
import { WORLD_COMMANDS } from './control-world.ts';
import type { Answer, Route } from '../api/http.ts';
import type { LarkCloud } from '../lark-cloud.ts';
import { Misuse } from '../world/misuse.ts';

/** One row of the control table: what can be asked of the cloud over HTTP. */
export interface ControlCommand {
  readonly method: Route['method'];
  /** Below `/_control`. */
  readonly path: string;
  /** Fields of the JSON body, or of the query of a GET; a question mark means that it may be left out. */
  readonly fields: string;
  readonly answer: string;
  readonly doc: string;
  run(lark: LarkCloud, fields: ControlFields): unknown;
}

/** All of it, in the order of the documentation. Names stand for ids where there is only one of that name. */
export const CONTROL_COMMANDS: readonly ControlCommand[] = [
  ...WORLD_COMMANDS,
  ...CHAT_COMMANDS,
  ...WEATHER_COMMANDS,
];

/** The cloud over HTTP: for people with curl, and for tests in other languages. */
export function controlRoutes(lark: LarkCloud): readonly Route[] {
  const table = CONTROL_COMMANDS.map(({ method, path, fields, answer, doc }) => ({
    method,
    path: CONTROL_PREFIX + path,
    fields,
    answer,
    doc,
  }));
  return [
    {
      method: 'GET',
      path: CONTROL_PREFIX,
      auth: 'none',
      handle: () => ({ status: 200, body: { commands: table } }),
    },
    ...CONTROL_COMMANDS.map((command): Route => ({
      method: command.method,
      path: CONTROL_PREFIX + command.path,
      auth: 'none',
      handle: (call) => answerTo(() => command.run(lark, new ControlFields(call))),
    })),
  ];
}

async function answerTo(run: () => unknown): Promise<Answer> {
  try {
    return { status: 200, body: (await run()) ?? {} };
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return { status: 400, body: { error: error.message } };
  }
}
