/** The part that is used of an optional package. */
declare module '@napi-rs/keyring' {
  export class Entry {
    constructor(
      service: string,
      username: string,
      options?: { readonly linux?: { readonly store?: 'secret-service' | 'keyutils' } },
    );
    getPassword(): string | null;
    setPassword(password: string): void;
    /** False if there was none. */
    deletePassword(): boolean;
  }
}
