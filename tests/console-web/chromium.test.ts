/** @file All that is tried in a browser, one after the other: two browsers on two cores hold each other up. */
import './live.ts'
import './hands.ts'
import './https.ts'
import './fleet.ts'
import './told.ts'
