// A person at a browser, as far as the forms of the service go.
export class Person {
  #cookies = new Map()
  #email
  #password

  constructor(email, password) {
    this.#email = email
    this.#password = password
  }

  async #open(url, fields) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const body = fields && new URLSearchParams(fields)
    const response = await fetch(url, { method: body ? 'POST' : 'GET', body, headers: { cookie }, redirect: 'manual' })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
      this.#cookies.set(name, value)
    }
    return response
  }

  // Logs in and allows whatever is asked, until a redirect leads to `target`; that URL.
  async follow(url, target, typed = {}) {
    let at = new URL(url)
    let response = await this.#open(at)
    for (let step = 0; step < 10; step++) {
      if (response.status === 303 || response.status === 302) {
        at = new URL(response.headers.get('location'), at)
        if (at.href.startsWith(target)) return at
        response = await this.#open(at)
        continue
      }
      const page = await response.text()
      const form = page.split('<form class="card"')[1]
      if (response.status !== 200 || !form) return page
      at = new URL(/action="([^"]*)"/.exec(form)[1], at)
      response = await this.#open(at, { ...fieldsOf(form), ...this.#answers(form), ...typed })
    }
    throw new Error(`no way to ${target}`)
  }

  #answers(form) {
    if (form.includes('name="password"')) return { email: this.#email, password: this.#password }
    return form.includes('name="decision"') ? { decision: 'allow' } : {}
  }
}

function fieldsOf(form) {
  const fields = {}
  for (const [, name, value] of form.matchAll(/<input [^>]*?name="([^"]*)" value="([^"]*)"/g)) {
    fields[name] = value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
  }
  return fields
}

// What the test says in its environment.
export const { ORIGIN, EMAIL, PASSWORD, SITE_SECRET, ROBOT_KEY, STARTED } = process.env

// Writes what came of a flow, one line for each.
export function told(flow, ...results) {
  console.log(`${flow}:`, ...results)
}

// Waits until the server takes proofs of possession: it takes none that could have been used before it started.
export function proofsAreTaken() {
  const from = (Number(STARTED) + 6) * 1000
  return new Promise(resolve => setTimeout(resolve, Math.max(0, from - Date.now())))
}

// The robot's key, of the Web Cryptography API.
export function robotKey() {
  return crypto.subtle.importKey('jwk', JSON.parse(ROBOT_KEY), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
}

// The status of a request for the user's sites.
export async function sites(token) {
  const response = await fetch(new URL('/api/v2/sites', ORIGIN), { headers: { authorization: `Bearer ${token}` } })
  return response.status
}
