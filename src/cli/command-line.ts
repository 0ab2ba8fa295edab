/** @file The command as it was typed, for whoever looks at a run later. */

/** Without the console's token: the report shows it. */
export const commandLine = () => ['duet', ...process.argv.slice(2)].join(' ').replace(/(--token[ =])\S+/g, '$1...')
