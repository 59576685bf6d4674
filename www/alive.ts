// How it is known that a worker lives: it holds a lock of its own name, which the browser gives back however it ends. Of
// some ends, as when memory runs out, no event tells.

/** Of one worker alone, among those of all tabs. */
export const uniqueName = (kind: string): string => `${kind} ${Math.random().toString(36).slice(2)}`;

/** In the worker: takes the lock, for as long as it lives. */
export function live(): Promise<void> {
  const { locks } = self.navigator;
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    void locks.request(self.name, () => {
      resolve();
      return new Promise(() => {});
    });
  });
}

/** Outside: waits for the end of a worker that has taken it. */
export function outlive(name: string, signal: AbortSignal, ended: () => void): void {
  self.navigator.locks?.request(name, { signal }, ended).catch(() => {});
}
