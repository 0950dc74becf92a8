/** Secrets inside texts, usually the URL or body of a failed request. */
const SECRET_IN_TEXT =
  /((?:secret|password|token|ticket|access_key|api_?key|device_code)["']?\s*[=:]\s*["']?|bearer\s+)[^\s"'&,;}]+/gi;
/** `SECRET_IN_TEXT` matches no text without one of these. */
const SEPARATOR = /[=:\s]/;

/** Replaces each value that follows the name of a secret by `[secret]`, for texts from outside. */
export function withoutSecrets(text: string): string {
  // Most values are ids. This check is faster than the search.
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
