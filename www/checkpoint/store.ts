// Files in the browser's private file system (OPFS), each replaced as a whole: a write that is torn, by a closed tab
// or a power cut, leaves the file from before. For the worker: only there can a file be flushed before it is trusted.

/** What a worker has and TypeScript's DOM library leaves out. */
type Handle = FileSystemFileHandle & {
  createSyncAccessHandle?(): Promise<{
    write(bytes: Uint8Array, options: { at: number }): number;
    truncate(size: number): void;
    flush(): void;
    close(): void;
  }>;
  /** Renames; takes the place of a file of that name in one go. */
  move?(name: string): Promise<void>;
};

async function folder(): Promise<FileSystemDirectoryHandle> {
  if (!self.navigator.storage?.getDirectory) throw new Error('this browser has no private file system');
  return self.navigator.storage.getDirectory();
}

const open = async (name: string, create = false): Promise<Handle> =>
  (await folder()).getFileHandle(name, { create });

/** Null where there is no such file. */
async function read(name: string): Promise<File | null> {
  try {
    return await (await open(name)).getFile();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return null;
    throw error;
  }
}

async function fill(name: string, bytes: Uint8Array): Promise<Handle> {
  const handle = await open(name, true);
  const file = await handle.createSyncAccessHandle?.();
  if (!file) throw new Error('this browser cannot write files safely');
  try {
    file.truncate(0);
    for (let at = 0; at < bytes.length; ) {
      const written = file.write(bytes.subarray(at), { at });
      if (written === 0)
        throw new DOMException('the browser gives this page no more room', 'QuotaExceededError');
      at += written;
    }
    file.flush();
  } finally {
    file.close();
  }
  return handle;
}

const fresh = (name: string): string => `${name}.new`;
const slot = (name: string, which: string): string => `${name}.${which}`;
const pointer = (name: string): string => `${name}.which`;

/** Where files cannot be moved there are two of them, and a pointer of one letter that is written last. */
export async function replace(name: string, bytes: Uint8Array): Promise<void> {
  // Two tabs may write the same file.
  await self.navigator.locks.request(`replace ${name}`, async () => {
    if ('move' in FileSystemFileHandle.prototype) {
      const written = await fill(fresh(name), bytes);
      await written.move?.(name);
      return;
    }
    const which = (await (await read(pointer(name)))?.text()) === 'a' ? 'b' : 'a';
    await fill(slot(name, which), bytes);
    await fill(pointer(name), new TextEncoder().encode(which));
  });
}

export async function current(name: string): Promise<File | null> {
  const moved = await read(name);
  if (moved) return moved;
  const which = await (await read(pointer(name)))?.text();
  // A torn pointer is empty; the slot that it left is then as good as any.
  return (await read(slot(name, which || 'a'))) ?? (await read(slot(name, 'b')));
}

/** Removes what there is of these files. */
export async function discard(names: string[]): Promise<void> {
  const all = await folder();
  for (const name of names.flatMap((name) => [
    name,
    fresh(name),
    slot(name, 'a'),
    slot(name, 'b'),
    pointer(name),
  ]))
    await all.removeEntry(name).catch(() => {});
}

export async function list(): Promise<string[]> {
  const names: string[] = [];
  const entries = (await folder()) as unknown as { keys(): AsyncIterable<string> };
  for await (const name of entries.keys()) names.push(name);
  return names;
}

/** The file of a run's weights, and of its own text, which says which text it is: the two can never be mixed up. */
export const weightsName = (run: string): string => `${run}.safetensors`;
export const textName = (run: string, fingerprint: string): string => `${run}-text.${fingerprint}.txt`;
const isText = (run: string, name: string): boolean => name.startsWith(`${run}-text.`);

/** The runs whose weights are here. */
export async function runsWithWeights(): Promise<string[]> {
  const ends = /\.safetensors(\.a|\.b)?$/;
  const names = (await list()).filter((name) => ends.test(name));
  return [...new Set(names.map((name) => name.replace(ends, '')))];
}

/** Removes a run's texts, but for the one of this name. */
export async function discardTexts(run: string, but: string | null = null): Promise<void> {
  const names = (await list()).filter((name) => isText(run, name));
  await discard(names.filter((name) => but === null || !name.startsWith(but)));
}

export async function discardWeights(run: string): Promise<void> {
  await discard([weightsName(run)]);
  await discardTexts(run);
}
