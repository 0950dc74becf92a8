/** As people read a size: `1.2 MB`. */
export function sizeOf(bytes: number): string {
  const units = ['KB', 'MB', 'GB'];
  let size = bytes / 1024;
  while (size >= 1024 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size < 10 ? size.toFixed(1) : size.toFixed(0)} ${units[0]}`;
}
