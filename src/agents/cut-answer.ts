import { headOf } from '../text/cut.ts';

/** The beginning of an answer, and a line that says that it was cut. */
export function cutAnswer(text: string, bytesMax: number): string {
  const kept = headOf(text, { bytes: bytesMax });
  return `${kept}\n\n[The answer was longer than ${Math.round(bytesMax / 1024)} KB. It was cut here.]`;
}
