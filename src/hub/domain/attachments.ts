interface LoosePart {
  readonly kind?: unknown;
  readonly file?: Readonly<Record<string, unknown>> | null;
}

/** The files of a message. Its parts may be anything, so every field is checked. */
export function attachmentsOf(parts: unknown): object[] {
  if (!Array.isArray(parts)) return [];
  return (parts as readonly (LoosePart | null)[]).flatMap((part) => {
    const file = part?.file;
    if (typeof file !== 'object' || file === null) return [];
    const { uri, name, mimeType, mime_type: mimeTypeOld } = file;
    return [{ kind: part?.kind, uri, mime_type: mimeType ?? mimeTypeOld, name }];
  });
}
