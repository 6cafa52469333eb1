package main

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// placeholders is PostgreSQL's driver for SQL whose parameters are written "?",
// as SQLite wants them.
type placeholders struct{ driver.Connector }

// Connect implements driver.Connector.
func (p placeholders) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil, errors.Join(errors.New("no connection of pgx"), conn.Close())
	}
	return &placeholderConn{inner}, nil
}

type placeholderConn struct{ *stdlib.Conn }

// PrepareContext implements driver.ConnPrepareContext.
func (c *placeholderConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, numbered(query))
}

// ExecContext implements driver.ExecerContext.
func (c *placeholderConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, numbered(query), args)
}

// QueryContext implements driver.QueryerContext.
func (c *placeholderConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, numbered(query), args)
}

// numbered writes each "?" outside quotes as "$1", "$2" and so on. PostgreSQL's
// operators with a question mark cannot be used in such SQL.
func numbered(query string) string {
	if !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	n, quoted := 0, false
	for _, r := range query {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == '?' && !quoted:
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
