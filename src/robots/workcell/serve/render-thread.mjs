// What a thread is started with: it renders a served workcell's pictures.
import { openModule } from '../../../../bin/program.mjs'

const { renderAsked } = await openModule('robots/workcell/serve/render-process')
renderAsked()
