package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- X-Hub-Signature is defined with it
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// GitHub gives a receiver ten seconds.
const deliveryTimeout = 10 * time.Second

// maxDeliveries bounds an app's log of deliveries; the oldest go.
const maxDeliveries = 2000

// delivery is one sending of a payload.
type delivery struct {
	id           int64
	guid         string
	event        string
	action       string
	installation int64
	repository   int64
	payload      []byte
	url          string
	secret       string
	redelivery   bool

	at          time.Time
	duration    time.Duration
	status      string // "OK", or what went wrong
	code        int
	reqHeader   http.Header
	respHeader  http.Header
	respPayload string
}

// hookTraffic counts what is on its way, for Idle.
type hookTraffic struct {
	mu      sync.Mutex
	pending int
	idle    chan struct{} // closed while nothing is pending
	due     chan struct{} // closed when what is late is to be sent
	workers sync.WaitGroup
}

func (t *hookTraffic) init() {
	t.idle, t.due = make(chan struct{}), make(chan struct{})
	close(t.idle)
}

func (t *hookTraffic) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pending == 0 && n > 0 {
		t.idle = make(chan struct{})
	}
	t.pending += n
	if t.pending == 0 {
		close(t.idle)
	}
}

func (t *hookTraffic) wait() { t.workers.Wait() }

// Idle waits until no webhook delivery is pending or under way.
func (s *Server) Idle(ctx context.Context) error {
	s.hooks.mu.Lock()
	idle := s.hooks.idle
	s.hooks.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("sandbox: wait for webhook deliveries: %w", ctx.Err())
	}
}

// DeliverLate sends at once what is late, as if its time had come.
func (s *Server) DeliverLate() {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	close(s.hooks.due)
	s.hooks.due = make(chan struct{})
}

// sender sends an app's deliveries one after the other and keeps their log.
type sender struct {
	s      *Server
	app    *app
	client *http.Client

	mu      sync.Mutex
	queue   []*delivery
	running bool
	log     []*delivery
}

func newSender(s *Server, a *app) *sender {
	return &sender{s: s, app: a, client: &http.Client{Timeout: deliveryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// enqueue adds a delivery and sees that somebody sends it.
func (q *sender) enqueue(d *delivery) {
	if d.guid == "" {
		d.guid = uuid.NewString()
	}
	q.s.hooks.add(1)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, d)
	if !q.running {
		q.running = true
		q.s.hooks.workers.Add(1)
		go q.run()
	}
}

func (q *sender) run() {
	defer q.s.hooks.workers.Done()
	var held *delivery
	for {
		d := q.next(held != nil)
		if d == nil && held == nil {
			return
		}
		if d == nil { // nothing came after the one that was held back
			q.send(held, fate{})
			held = nil
			continue
		}
		f := q.s.knobs.deliveryFate()
		if f.late > 0 {
			q.sendLate(d, f)
			continue
		}
		if f.reorder && held == nil {
			held = d
			continue
		}
		q.send(d, f)
		if held != nil {
			q.send(held, fate{})
			held = nil
		}
	}
}

// sendLate sends a delivery after others that came after it.
func (q *sender) sendLate(d *delivery, f fate) {
	q.s.hooks.mu.Lock()
	due := q.s.hooks.due
	q.s.hooks.mu.Unlock()
	q.s.hooks.workers.Add(1)
	go func() {
		defer q.s.hooks.workers.Done()
		select {
		case <-time.After(f.late):
		case <-due:
		case <-q.s.ctx.Done():
		}
		q.send(d, f)
	}()
}

// next takes the first of the queue. When the queue is empty it ends the run,
// unless a delivery is held back, for whose successor it waits a little.
func (q *sender) next(waiting bool) *delivery {
	deadline := time.Now().Add(500 * time.Millisecond)
	for {
		q.mu.Lock()
		if len(q.queue) > 0 {
			d := q.queue[0]
			q.queue = q.queue[1:]
			q.mu.Unlock()
			return d
		}
		if !waiting {
			q.running = false
			q.mu.Unlock()
			return nil
		}
		q.mu.Unlock()
		if time.Now().After(deadline) || q.s.ctx.Err() != nil {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// send plays the delivery's fate.
func (q *sender) send(d *delivery, f fate) {
	defer q.s.hooks.add(-1)
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-q.s.ctx.Done():
		}
	}
	if f.drop {
		return
	}
	if f.lose {
		d.at, d.status, d.reqHeader = q.s.now(), "failed to connect to host", q.header(d)
	} else {
		q.post(d)
		if f.duplicate {
			again := *d
			q.post(&again)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.log) >= maxDeliveries {
		q.log = append([]*delivery(nil), q.log[maxDeliveries/2:]...)
	}
	q.log = append(q.log, d)
}

func signHook(newHash func() hash.Hash, secret string, payload []byte) string {
	mac := hmac.New(newHash, []byte(secret))
	mac.Write(payload)
	return hex.EncodeToString(mac.Sum(nil))
}

// header makes the headers of a delivery
// (docs.github.com: "Webhook events and payloads", "Delivery headers").
func (q *sender) header(d *delivery) http.Header {
	h := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/" + d.guid[:7]}, "Accept": {"*/*"},
		"X-Github-Event": {d.event}, "X-Github-Delivery": {d.guid},
		"X-Github-Hook-Id":                       {strconv.FormatInt(q.app.hookID, 10)},
		"X-Github-Hook-Installation-Target-Id":   {strconv.FormatInt(q.app.id, 10)},
		"X-Github-Hook-Installation-Target-Type": {"integration"},
	}
	if d.secret != "" {
		h.Set("X-Hub-Signature", "sha1="+signHook(sha1.New, d.secret, d.payload))
		h.Set("X-Hub-Signature-256", "sha256="+signHook(sha256.New, d.secret, d.payload))
	}
	return h
}

// post sends once and notes how it went.
func (q *sender) post(d *delivery) {
	started := time.Now()
	d.at, d.reqHeader = q.s.now(), q.header(d)
	defer func() { d.duration = time.Since(started) }()
	req, err := http.NewRequestWithContext(q.s.ctx, http.MethodPost, d.url, bytes.NewReader(d.payload))
	if err != nil {
		d.status = "invalid URL"
		return
	}
	req.Header = d.reqHeader.Clone()
	resp, err := q.client.Do(req)
	if err != nil {
		d.status = "failed to connect to host"
		if timeout, is := err.(interface{ Timeout() bool }); is && timeout.Timeout() {
			d.status = "timed out"
		}
		return
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		q.s.log.Warn("sandbox: read answer to webhook", "err", err)
	}
	d.code, d.respHeader, d.respPayload = resp.StatusCode, resp.Header, string(body)
	d.status = "OK"
	if d.code >= 400 {
		d.status = "Invalid HTTP Response: " + strconv.Itoa(d.code)
	}
}

// find returns a logged delivery.
func (q *sender) find(id int64) *delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, d := range q.log {
		if d.id == id {
			return d
		}
	}
	return nil
}

// logged copies the log, youngest first.
func (q *sender) logged() []*delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]*delivery, 0, len(q.log))
	for i := len(q.log) - 1; i >= 0; i-- {
		out = append(out, q.log[i])
	}
	return out
}
