// Puts the corpus to golang-jwt: id, a tab, and accept, reject or unsupported for each case.
//
// Usage: go run main.go CORPUS
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/golang-jwt/jwt"
)

const algorithms = " HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA "

type jwk struct{ Kty, Kid, Alg, Crv, K, N, E, X, Y string }

type set struct{ Keys []jwk }

type policy struct {
	Iss, Aud    string
	Algorithms  []string
	Now, Leeway int64
}

type testCase struct {
	Id, Keys string
	Token    json.RawMessage
	Policy   policy
}

// The library does not select a key: its caller must.
var errUnsupported = errors.New("several keys")

func main() {
	sets := map[string]set{}
	text, err := os.ReadFile(filepath.Join(os.Args[1], "keys.json"))
	if err == nil {
		err = json.Unmarshal(text, &sets)
	}
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*.jsonl"))
	if err != nil || len(files) == 0 {
		fmt.Fprintln(os.Stderr, "no corpus:", err)
		os.Exit(2)
	}
	for _, name := range files {
		file, _ := os.Open(name)
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<26)
		for lines.Scan() {
			var c testCase
			if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
				panic(err)
			}
			fmt.Printf("%s\t%s\n", c.Id, judge(sets[c.Keys], c))
		}
	}
}

func judge(keys set, c testCase) (verdict string) {
	// This version knows no leeway.
	if !strings.Contains(algorithms, " "+strings.Split(c.Id, "/")[1]+" ") || c.Policy.Leeway != 0 {
		return "unsupported"
	}
	defer func() {
		if recover() != nil {
			verdict = "reject"
		}
	}()
	err := verify(keys, token(c.Token), c.Policy)
	var failed *jwt.ValidationError
	switch {
	case err == nil:
		return "accept"
	case errors.As(err, &failed) && failed.Inner == errUnsupported:
		return "unsupported"
	default:
		return "reject"
	}
}

func verify(keys set, token string, policy policy) error {
	jwt.TimeFunc = func() time.Time { return time.Unix(policy.Now, 0) }
	parser := jwt.NewParser(jwt.WithValidMethods(policy.Algorithms))
	claims := jwt.MapClaims{}
	_, err := parser.ParseWithClaims(token, claims, func(token *jwt.Token) (interface{}, error) {
		kid, present := token.Header["kid"]
		if !present && len(keys.Keys) > 1 {
			return nil, errUnsupported
		}
		if present {
			for _, key := range keys.Keys {
				if kid == key.Kid {
					return key.public()
				}
			}
			return nil, errors.New("unknown kid")
		}
		return keys.Keys[0].public()
	})
	switch {
	case err != nil:
		return err
	case !claims.VerifyExpiresAt(policy.Now, true):
		return errors.New("exp")
	case !claims.VerifyIssuer(policy.Iss, true):
		return errors.New("iss")
	case !claims.VerifyAudience(policy.Aud, true):
		return errors.New("aud")
	}
	return nil
}

func (key jwk) public() (interface{}, error) {
	switch key.Kty {
	case "oct":
		return base64.RawURLEncoding.DecodeString(key.K)
	case "RSA":
		n, err := number(key.N)
		if err != nil {
			return nil, err
		}
		e, err := number(key.E)
		if err != nil || !e.IsInt64() {
			return nil, errors.New("e")
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	case "EC":
		x, err := number(key.X)
		if err != nil {
			return nil, err
		}
		y, err := number(key.Y)
		curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[key.Crv]
		if err != nil || curve == nil {
			return nil, errors.New("curve")
		}
		return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, nil
	case "OKP":
		x, err := base64.RawURLEncoding.DecodeString(key.X)
		return ed25519.PublicKey(x), err
	}
	return nil, errors.New("kty")
}

func number(text string) (*big.Int, error) {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(bytes), err
}

func token(stored json.RawMessage) string {
	var text string
	if json.Unmarshal(stored, &text) == nil {
		return text
	}
	var pieces [][2]json.RawMessage
	if err := json.Unmarshal(stored, &pieces); err != nil {
		panic(err)
	}
	var whole strings.Builder
	for _, piece := range pieces {
		var count int
		_ = json.Unmarshal(piece[0], &text)
		_ = json.Unmarshal(piece[1], &count)
		whole.WriteString(strings.Repeat(text, count))
	}
	return whole.String()
}
