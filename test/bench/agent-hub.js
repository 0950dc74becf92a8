/** A hub that is only its contract: it takes turns and answers them with an echo, at once or later. */
import { createServer } from 'node:http';

const REGISTERED = {
  status: 'registered',
  capabilities: { correlated_answers: true, idempotent_messages: true },
};

export class AgentHub {
  /** `slow`: the chat whose turns take long, and how long; `isHeld`: turns come in and get no answer. */
  settings = {};
  #server;
  #onTurn;

  static async start(onTurn) {
    const hub = new AgentHub();
    hub.#onTurn = onTurn;
    hub.#server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
      void hub.#answer(request, response);
    });
    await new Promise((resolve) => hub.#server.listen(0, '127.0.0.1', resolve));
    return hub;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (!request.url.endsWith('/a2a')) return send(response, REGISTERED);
    const { id, params } = JSON.parse(text);
    const { message, metadata } = params;
    this.#onTurn(metadata.message_id);
    // The first line is the header that says where the message comes from.
    const [, ...lines] = message.parts[0].text.split('\n');
    const asked = lines.join('\n');
    const { slow, isHeld } = this.settings;
    if (isHeld) return;
    if (slow?.chatId === metadata.chat_id) {
      await new Promise((resolve) => setTimeout(resolve, slow.durationMs));
    }
    const parts = [{ kind: 'text', text: asked }];
    send(response, { jsonrpc: '2.0', id, result: { kind: 'message', role: 'agent', parts } });
  }
}

function send(response, body) {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
