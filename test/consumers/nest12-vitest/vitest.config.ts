import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { globals: true, include: ['*.spec.ts'], setupFiles: ['./tracing-matchers.ts'] },
});
