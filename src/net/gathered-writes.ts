interface Corkable {
  write(...args: never[]): boolean;
  cork(): void;
  uncork(): void;
}

/**
 * What is written in one turn of the event loop leaves in one piece. One commit releases the acks of many
 * events, and a system call for each of them would cost more than all the rest of the ack.
 */
export function gatherWrites<S extends Corkable>(socket: S): S {
  const write = socket.write.bind(socket);
  let gathering = false;
  socket.write = (...args) => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      // Runs when all that the turn has set off is done.
      process.nextTick(() => {
        gathering = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
  return socket;
}
