/** @file A server in the foreground, until a person or who started it ends it. */

export async function untilInterrupted(): Promise<void> {
  process.stdout.write('Ctrl-C ends it.\n')
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
}
