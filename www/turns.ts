// A worker's turns: giving way, so that commands are heard between two of them; and how others know that it lives.

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** Lets waiting messages through, at once: a timer would cost four milliseconds. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

export function nap(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Holds the lock of this worker's name for as long as it lives; the browser gives it back however it ends. Whoever waits for
 * it knows of an end of which no event tells, as when memory runs out.
 */
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
