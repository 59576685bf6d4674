// Fetches a file and says how far it is.

/** At most one report in so many milliseconds. */
const REPORT_MS = 80;

export async function download(
  url: URL,
  progress: (received: number, total: number | null) => void,
): Promise<Blob> {
  const response = await fetch(url).catch(() => {
    throw new Error(
      `${url.pathname} could not be fetched. Look at the connection, then choose the text again.`,
    );
  });
  if (!response.ok || !response.body) {
    throw new Error(`${url.pathname} could not be fetched (status ${response.status}). Choose another text.`);
  }
  // With compression the header counts other bytes than those that arrive here.
  const length = response.headers.get('content-encoding') ? null : response.headers.get('content-length');
  const total = length ? Number(length) : null;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  let reported = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    received += part.value.byteLength;
    if (performance.now() - reported > REPORT_MS) {
      reported = performance.now();
      progress(received, total);
    }
  }
  progress(received, received);
  return new Blob(parts);
}
