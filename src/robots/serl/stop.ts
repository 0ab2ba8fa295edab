/** @file Stops an arm behind a SERL server from beside whoever drives it: the server takes any number of clients. */
import type { SerlConfig } from './config.ts'
import { asInputError, ServerConnection } from './connection.ts'
import { sevenOf } from './poses.ts'
import { readState } from './state.ts'

const CONTROLLER = 10 // s that the server may take to end its controller

/**
 * The measured pose becomes the one to stay at; then the controller ends, which no pose of anybody can undo. @returns what was done
 * @throws InputError where the controller cannot be ended
 */
export async function stopSerl(config: SerlConfig, cell: string): Promise<string> {
  const server = new ServerConnection(config.servers[cell] ?? config.url, config.patience)
  try {
    await readState(server, config.gripper)
      .then(({ pose }) => server.command('pose', { arr: sevenOf(pose) }))
      .catch(() => {}) // the controller is ended all the same
    await server.command('stopimp', undefined, CONTROLLER)
    const start = server.at('startimp')
    return `Its impedance controller is ended: no pose moves the arm. Before it is to move again: curl -X POST ${start}`
  } catch (error) {
    throw asInputError(error)
  } finally {
    server.close()
  }
}
