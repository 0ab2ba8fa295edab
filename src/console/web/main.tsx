/** @file Starts the page. */
import { render } from 'preact'
import 'uplot/dist/uPlot.min.css'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/stage.css'
import './style/controls.css'
import './style/notes.css'
import './style/pages.css'
import './style/fleet.css'
import type { Vector3 } from '../protocol.ts'
import { App } from './app.tsx'
import { DeviceHand } from './hand/hand.ts'
import { listenToStop } from './hand/keys.ts'
import { Connection, liveAddress } from './link/connection.ts'
import { operated } from './link/model.ts'
import { applyTheme } from './pages/settings.tsx'
import { ConsoleContext } from './parts/context.ts'
import { Store } from './parts/store.ts'

applyTheme(localStorage.getItem('theme') ?? 'system')
const connection = new Connection(liveAddress(location))
listenToStop(
  () => connection.ask({ kind: 'stop' }),
  () => operated(connection.model.get()),
)
const hand = new DeviceHand(connection)

render(
  <ConsoleContext.Provider value={{ connection, hand, preview: new Store<Vector3 | null>(null) }}>
    <App />
  </ConsoleContext.Provider>,
  document.getElementById('app')!,
)
