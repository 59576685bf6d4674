// Files that a visitor chooses.

/** For an input's `onChange`: hands its file over, and lets the same one be chosen again after it was changed. */
export const chosen =
  (take: (file: File) => void) =>
  ({ currentTarget }: { currentTarget: HTMLInputElement }): void => {
    const file = currentTarget.files?.[0];
    if (file) take(file);
    currentTarget.value = '';
  };
