// Is this a text that can be trained on? Throws an Error that says what to do.

import { bytes } from '../format';

const LEAST = 1024;
const MOST = 64 * 1024 * 1024;

export async function decode(source: Blob | string): Promise<{ text: string; bytes: number }> {
  const blob = typeof source === 'string' ? new Blob([source]) : source;
  if (blob.size > MOST) {
    throw new Error(`It has ${bytes(blob.size)}; at most ${bytes(MOST)} fit. Use a part of it.`);
  }
  const text = typeof source === 'string' ? source : utf8(await blob.arrayBuffer());
  if (text.trim() === '') throw new Error('It is empty. Paste or choose a text with a few thousand words.');
  if (blob.size < LEAST) {
    throw new Error(`It has only ${bytes(blob.size)}; at least ${bytes(LEAST)} are needed. Add more text.`);
  }
  return { text, bytes: blob.size };
}

export function utf8(buffer: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(buffer);
  } catch {
    throw new Error('It is not UTF-8 text. Save it as “plain text, UTF-8” in an editor and choose it again.');
  }
}
