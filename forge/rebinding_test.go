package forge

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// rebinder is a name server whose answers change: a name has a public address
// when it is asked for first, and one of the operator's network afterwards.
type rebinder struct {
	mu    sync.Mutex
	asked map[string]int
	after netip.Addr
}

// serve answers one message after the other until the connection is closed.
func (r *rebinder) serve(conn net.PacketConn) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		if reply, err := r.answer(m); err == nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

func (r *rebinder) answer(m dnsmessage.Message) ([]byte, error) {
	q := m.Questions[0]
	m.Response, m.Authoritative, m.Additionals = true, true, nil
	r.mu.Lock()
	addr := netip.MustParseAddr("203.0.113.7")
	if r.after.Is6() {
		addr = netip.MustParseAddr("2606:50c0:8000::154")
	}
	if r.asked[q.Name.String()] > 0 {
		addr = r.after
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 0}
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		r.asked[q.Name.String()]++
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		r.asked[q.Name.String()]++
		m.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	r.mu.Unlock()
	return m.Pack()
}

// A name that is public when somebody looks, and private when the connection is
// made, is not connected to: what counts is the address that is dialled. The name
// is one that files may be fetched from.
func TestRebindingIsNotFollowed(t *testing.T) {
	for _, private := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"} {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &rebinder{asked: map[string]int{}, after: netip.MustParseAddr(private)}
		go server.serve(conn)
		was := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
		}}
		rebindingTest(t, private)
		net.DefaultResolver = was
		_ = conn.Close()
	}
}

func rebindingTest(t *testing.T, private string) {
	t.Helper()
	const host = "rebind.githubusercontent.com"
	h, err := newHosts(Config{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(addrs) != 1 || !public(addrs[0]) {
		t.Fatalf("%s: at first the name is %v, %v", private, addrs, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+host+"/file", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.check(req.URL); err != nil {
		t.Fatalf("the name is none that files are fetched from: %v", err)
	}
	client := newWebClient(Config{}.withDefaults(), h)
	client.Transport.(*http.Transport).Proxy = nil
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("%s was connected to", private)
	}
	if !strings.Contains(err.Error(), "no public address") {
		t.Errorf("%s: %v", private, err)
	}
}
