import { render } from 'preact'
import { assistedSuccess, robotClock } from '../../run/report/series.ts'

console.log(assistedSuccess([], robotClock, 20))
render(<p>hi</p>, document.getElementById('app')!)
