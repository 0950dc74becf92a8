/** `lark-bridge doctor`: checks everything that can be wrong, and gives a next step for each. */
import { type Command, settingFlag } from '../command.ts';
import { doctorText } from '../doctor-views.ts';

export const doctorCommand: Command = {
  usage: 'doctor',
  options: {
    ...settingFlag('mode'),
    offline: {
      type: 'boolean',
      describe: 'Check only this machine: ask neither Lark nor a hub elsewhere',
    },
    verbose: {
      type: 'boolean',
      describe: 'Also show what is in order; --quiet shows only trouble',
    },
  },
  examples: {
    'lark-bridge doctor': 'Check this machine, the app and the connection to Lark',
    'lark-bridge doctor --offline': 'Check only this machine',
  },
  run: async ({ options, output, configRequest }) => {
    const { runDoctor } = await import('../../app/doctor.ts');
    const config = configRequest(['lark', 'platform']);
    const report = await runDoctor({ config, offline: options['offline'] === true });
    const { width, quiet, json } = output;
    const text = doctorText(report, { width, quiet, verbose: options['verbose'] === true });
    if (text !== '' || json) output.marked(text, report);
    return report.exit_code;
  },
};
