// Downloads.

export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then, and the memory can go.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Words as part of a file's name. */
export const dashed = (words: string): string => words.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '-');
