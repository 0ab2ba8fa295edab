import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts', 'src/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // onnxruntime and MuJoCo hold native memory per process; two forks fill the two cores of the reference machine
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 2, // where a file starts processes of its own
  },
})
