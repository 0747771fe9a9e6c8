// Opens each of these addresses one after the other, as the person who logs in and allows whatever is asked. Writes the page that each leads to,
// or the address, where it begins with TARGET.
import { EMAIL, PASSWORD, Person } from './person.mjs'

const person = new Person(EMAIL, PASSWORD)
const typed = process.env.USER_CODE ? { user_code: process.env.USER_CODE } : {}
for (const url of process.argv.slice(2)) console.log((await person.follow(url, process.env.TARGET ?? 'nowhere:', typed)).toString().trim())
