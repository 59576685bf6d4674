// Where each corpus comes from. Names as in the config's `data.corpus`.

export const OWN = 'own';

/** Corpora that lie beside the page as files; all others but `own` are written by the core. */
export const FILES: Record<string, { name: string; path: string }> = {
  moby_dick: { name: 'Moby-Dick', path: 'corpora/moby-dick.txt' },
};
