/** Loaded before the program with `--import`: its streams pass for a terminal of 80x24, which a pipe is not. */
for (const stream of [process.stdin, process.stdout, process.stderr]) {
  Object.assign(stream, { isTTY: true, columns: 80, rows: 24 });
}
