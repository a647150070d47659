package wire

import (
	"time"

	"github.com/deedrun/deed/internal/access"
	"github.com/deedrun/deed/task"
)

// NewToken is what a token is asked for.
type NewToken struct {
	Name         string        `json:"name" minLength:"1" maxLength:"63" doc:"Who shows it, for people and for the record; several tokens may have one name."`
	Role         access.Role   `json:"role" enum:"viewer,operator,admin"`
	Processes    []string      `json:"processes,omitzero" maxItems:"64" doc:"Patterns of the names of definitions, such as team-a-*: processes of others do not exist for it. None: all do."`
	ExpiresAfter task.Duration `json:"expiresAfter,omitempty" doc:"Such as 720h; none: never."`
	By           string        `json:"by,omitempty" maxLength:"256"`
}

// IssuedToken is a token that was just issued.
type IssuedToken struct {
	access.Token
	Text string `json:"token" doc:"The token itself, which is told here and never again."`
}

// Token is what is known of one.
type Token struct {
	access.Token
	Status string `json:"status" enum:"active,expired,revoked"`
}

// TokenOf says what a token is worth at that time.
func TokenOf(t access.Token, now time.Time) Token {
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
	Name      string      `json:"name,omitempty" doc:"None: somebody at the server's own machine, without a token."`
	Token     string      `json:"token,omitempty" doc:"The ID of the token."`
	Role      access.Role `json:"role" enum:"viewer,operator,admin"`
	Processes []string    `json:"processes,omitempty" doc:"Patterns of the names of definitions; none: all processes exist for it."`
}
