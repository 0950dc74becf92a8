/** The simulator and the load on it: a process that the scenarios talk to in messages. */
import { Load } from './load.js';

let load;

async function answer({ method, args }) {
  if (method !== 'start') return load[method](...args);
  load = await Load.start(...args);
  return load.url;
}

process.on('disconnect', () => process.exit());
process.on('message', async (request) => {
  const { number } = request;
  try {
    process.send({ number, value: await answer(request) });
  } catch (error) {
    process.send({ number, error: error.stack });
  }
});
