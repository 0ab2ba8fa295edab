/** @file Where a console listens that was told no port; apart from the server, which the help of a command need not load. */
export const DEFAULT_PORT = 8337
