/** Secrets inside texts, usually the URL or body of a failed request. */
const SECRET_IN_TEXT =
  /((?:secret|password|token|ticket|access_key|api_?key|device_code)["']?\s*[=:]\s*["']?|bearer\s+)[^\s"'&,;}]+/gi;
/** No secret is found in a text without one of these. */
const SEPARATOR = /[=:\s]/;

/** A text from outside in which what is named like a secret is masked. */
export function withoutSecrets(text: string): string {
  // Most values are ids, which hold nothing to look through.
  return SEPARATOR.test(text) ? text.replace(SECRET_IN_TEXT, '$1[secret]') : text;
}

/** A value that can't be printed: every conversion to text gives `[secret]`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The only access to the value. Call it only where the value leaves the process. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
