import { defineConfig } from 'vite';

// Relative paths throughout (`base`), so that `dist/` works on any static host and under any sub-path.
export default defineConfig({
  root: 'www',
  base: './',
  worker: { format: 'es' },
  build: { outDir: '../dist', emptyOutDir: true, target: 'es2023' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
