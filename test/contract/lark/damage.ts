import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';

type Json = Record<string, unknown>;

/** The body of `im.message.receive_v1`, to be damaged in place. */
export interface MessageBody {
  readonly header: Json;
  readonly sender: Json;
  readonly message: Json;
}

/** From now on the events of messages leave the cloud changed, each time that they are delivered. */
export function damageEvents(lark: LarkCloud, change: (body: MessageBody) => void): void {
  const { deliveries } = lark.cloud;
  const publish = deliveries.publish.bind(deliveries);
  deliveries.publish = (app, event) => {
    const envelope = JSON.parse(event.json) as { header: Json; event: Json };
    if (event.eventType === 'im.message.receive_v1') {
      const { sender, message } = envelope.event as { sender: Json; message: Json };
      change({ header: envelope.header, sender, message });
    }
    publish(app, { ...event, json: JSON.stringify(envelope) });
  };
}
