package wire

import (
	"slices"
	"time"

	"github.com/deedrun/deed/task"
)

// Role is what somebody may do. Each includes the ones before it.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // read: processes, histories, outputs, logs
	Operator Role = "operator" // and submit, supervise, store inputs
	Admin    Role = "admin"    // and look after what is stored, workers and tokens
)

var roles = []Role{Viewer, Operator, Admin}

// Known reports whether it is one of the roles.
func (r Role) Known() bool { return slices.Contains(roles, r) }

// Includes reports whether who has this role may do what the other one may.
func (r Role) Includes(other Role) bool {
	have, want := slices.Index(roles, r), slices.Index(roles, other)
	return want >= 0 && have >= want
}

// TokenInfo is what a token is: never its secret.
type TokenInfo struct {
	ID        string    `json:"id"`
	Name      string    `json:"name" doc:"Who shows it, for people and for the record."`
	Role      Role      `json:"role" enum:"viewer,operator,admin"`
	Processes []string  `json:"processes,omitempty" doc:"Patterns of the names of definitions whose processes exist for it; none: all do."`
	Expires   time.Time `json:"expires,omitzero"`
	By        string    `json:"by,omitempty" doc:"Who issued it."`
	At        time.Time `json:"at"`
	RevokedBy string    `json:"revokedBy,omitempty"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
}

// Opens reports whether it opens anything at that time.
func (t TokenInfo) Opens(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}

// NewToken is what a token is asked for.
type NewToken struct {
	Name         string        `json:"name" minLength:"1" maxLength:"63" doc:"Who shows it, for people and for the record; several tokens may have one name."`
	Role         Role          `json:"role" enum:"viewer,operator,admin"`
	Processes    []string      `json:"processes,omitzero" maxItems:"64" doc:"Patterns of the names of definitions, such as team-a-*: processes of others do not exist for it. None: all do."`
	ExpiresAfter task.Duration `json:"expiresAfter,omitempty" doc:"Such as 720h; none: never."`
	By           string        `json:"by,omitempty" maxLength:"256"`
}

// IssuedToken is a token that was just issued.
type IssuedToken struct {
	TokenInfo
	Text string `json:"token" doc:"The token itself, which is told here and never again."`
}

// Token is what is known of one.
type Token struct {
	TokenInfo
	Status string `json:"status" enum:"active,expired,revoked"`
}

// TokenOf says what a token is worth at that time.
func TokenOf(t TokenInfo, now time.Time) Token {
	status := "active"
	switch {
	case !t.RevokedAt.IsZero():
		status = "revoked"
	case !t.Opens(now):
		status = "expired"
	}
	return Token{t, status}
}

// Tokens lists tokens, in the order in which they were issued.
type Tokens struct {
	Tokens []Token `json:"tokens"`
}

// Principal is who asks.
type Principal struct {
	Name      string   `json:"name,omitempty" doc:"None: somebody at the server's own machine, without a token."`
	Token     string   `json:"token,omitempty" doc:"The ID of the token."`
	Role      Role     `json:"role" enum:"viewer,operator,admin"`
	Processes []string `json:"processes,omitempty" doc:"Patterns of the names of definitions; none: all processes exist for it."`
}
