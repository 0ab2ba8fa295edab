/** @file What every component may use: the connection, the hand, and what the person chose to see. */
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Vector3 } from '../../protocol.ts'
import type { DeviceHand } from '../hand/hand.ts'
import type { Connection } from '../link/connection.ts'
import type { Model } from '../link/model.ts'
import { type Store, useStore } from './store.ts'

export type ConsoleContext = {
  connection: Connection
  hand: DeviceHand
  /** Direction of the command that the pointer is over, drawn in the views before it is said. */
  preview: Store<Vector3 | null>
}

export const ConsoleContext = createContext<ConsoleContext>(null as never)
export const useConsole = () => useContext(ConsoleContext)

/** A part of what the server told; the component renders again when this part changes. */
export const useModel = <T>(pick: (model: Model) => T): T => useStore(useConsole().connection.model, pick)
