// A run has one tab at most in which it is open; only that one writes its points. A lock says which: the browser takes
// it back by itself when the tab goes. Where there are no locks (a page that came without TLS), each tab believes itself alone.

const lockOf = (run: string): string => `trainlab run ${run}`;

/** A lock that was just given back is free a moment later. */
const MOMENT_MS = 50;

/** Takes a run for this tab; null where another has it. What is returned gives it back. */
export async function own(run: string): Promise<(() => void) | null> {
  const taken = await take(run);
  if (taken) return taken;
  await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
  return take(run);
}

function take(run: string): Promise<(() => void) | null> {
  const { locks } = navigator;
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock) return new Promise((release) => resolve(release));
      resolve(null);
      return undefined;
    };
    locks.request(lockOf(run), { ifAvailable: true }, hold).catch(reject);
  });
}

/** Takes a run for this tab, as soon as no other has it. What is returned gives it back. */
export function hold(run: string): () => void {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  navigator.locks?.request(lockOf(run), () => held).catch(() => {});
  return release;
}

/** Calls back, with the run held, once no tab has it open: maybe at once, maybe after a tab is closed. */
export function whenFree(run: string, work: () => Promise<void>): Promise<void> {
  const { locks } = navigator;
  return locks ? locks.request(lockOf(run), work) : work();
}
