package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// token is a credential: a person's access token or an installation's.
type token struct {
	value       string
	user        *account
	inst        *installation
	permissions map[string]string
	repos       map[int64]bool // nil: all that the installation covers
	expires     time.Time      // zero: never
}

// actor is who does something. The zero actor is an anonymous visitor.
type actor struct {
	user  *account // a person, or the bot of an installation
	app   *app     // an app speaking for itself, with a JSON Web Token
	inst  *installation
	token *token
}

// actorFor is a person acting through the browser pages.
func actorFor(user *account) *actor { return &actor{user: user} }

func (a *actor) anonymous() bool { return a.user == nil && a.app == nil }

// viaApp is the app that a person reads about beside the bot's comment.
func (a *actor) viaApp() *app {
	if a.inst != nil {
		return a.inst.app
	}
	return nil
}

func (a *actor) name() string {
	switch {
	case a.user != nil:
		return a.user.login
	case a.app != nil:
		return "app:" + a.app.slug
	}
	return ""
}

// covers tells whether an installation's token reaches the repository.
func (a *actor) covers(r *repository) bool {
	return a.inst != nil && a.inst.covers(r) && (a.token == nil || a.token.repos == nil || a.token.repos[r.id])
}

// authenticate reads the Authorization header: token, Bearer or Basic, as
// GitHub takes them.
func (s *Server) authenticate(r *http.Request) (*actor, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return &actor{}, nil
	}
	scheme, value, _ := strings.Cut(header, " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "basic":
		_, password, found := r.BasicAuth()
		if !found {
			return nil, badCredentials()
		}
		if password == "x-oauth-basic" {
			password, _, _ = r.BasicAuth()
		}
		return s.byToken(password)
	case "token", "bearer":
		if strings.Count(value, ".") == 2 {
			return s.byJWT(value)
		}
		return s.byToken(value)
	}
	return nil, badCredentials()
}

func (s *Server) byToken(value string) (*actor, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t := s.tokens[value]
	if t == nil || (!t.expires.IsZero() && !s.now().Before(t.expires)) {
		return nil, badCredentials()
	}
	if t.inst == nil {
		return &actor{user: t.user, token: t}, nil
	}
	if t.inst.suspended {
		return nil, fail(http.StatusForbidden, "This installation has been suspended")
	}
	return &actor{user: t.inst.app.bot, inst: t.inst, token: t}, nil
}

// byJWT checks an app's token as GitHub does: RS256, the app's own key, issued
// in the past and expiring within ten minutes
// (docs.github.com: "Generating a JSON Web Token (JWT) for a GitHub App").
func (s *Server) byJWT(value string) (*actor, error) {
	undecodable := fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
	var found *app
	unknown := false
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(value, claims, func(*jwt.Token) (any, error) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		if found = s.issuer(claims["iss"]); found == nil {
			unknown = true
			return nil, fmt.Errorf("no app is issuer %v", claims["iss"])
		}
		return &found.key.private.PublicKey, nil
	})
	if unknown {
		return nil, fail(http.StatusNotFound, "Integration not found")
	}
	if err != nil {
		return nil, undecodable
	}
	if err := checkTimes(claims, time.Now()); err != nil {
		return nil, err
	}
	return &actor{app: found}, nil
}

// issuer finds the app by its ID (number or string) or client ID.
func (s *Server) issuer(iss any) *app {
	switch v := iss.(type) {
	case float64:
		return s.apps[int64(v)]
	case string:
		if id, err := strconv.ParseInt(v, 10, 64); err == nil {
			return s.apps[id]
		}
		for _, a := range s.apps {
			if a.clientID == v {
				return a
			}
		}
	}
	return nil
}

func checkTimes(claims jwt.MapClaims, now time.Time) error {
	iat, okIat := claims["iat"].(float64)
	exp, okExp := claims["exp"].(float64)
	unix := float64(now.UnixMilli()) / 1000
	switch {
	case !okIat || iat > unix+60:
		return fail(http.StatusUnauthorized,
			"'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case !okExp || exp <= unix:
		return fail(http.StatusUnauthorized,
			"'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case exp > unix+600+60:
		return fail(http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future")
	}
	return nil
}

// appKey is an app's RSA key.
type appKey struct {
	private *rsa.PrivateKey
	pem     []byte
}

func newAppKey() (appKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return appKey{}, fmt.Errorf("make the app's key: %w", err)
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return appKey{private: key, pem: pem.EncodeToMemory(block)}, nil
}

// randomToken gives n random bytes as hexadecimal text.
func randomToken(n int) string {
	buf := make([]byte, n)
	_, _ = rand.Read(buf) // never fails, see crypto/rand.Read
	return hex.EncodeToString(buf)
}

// nodeID makes the opaque global ID that GitHub gives every object.
func nodeID(kind string, id int64) string {
	return kind + "_" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}
