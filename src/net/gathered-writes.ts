interface Corkable {
  write(...args: never[]): boolean;
  cork(): void;
  uncork(): void;
}

/**
 * Everything that is written in one turn of the event loop is sent with one system call. One commit releases the
 * acks of many events. A system call for each ack would cost more than everything else about the ack.
 */
export function gatherWrites<S extends Corkable>(socket: S): S {
  const write = socket.write.bind(socket);
  let gathering = false;
  socket.write = (...args) => {
    if (!gathering) {
      gathering = true;
      socket.cork();
      // This runs at the end of the current turn of the event loop.
      process.nextTick(() => {
        gathering = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
  return socket;
}
