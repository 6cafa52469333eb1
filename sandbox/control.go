package sandbox

import (
	"encoding/json"
	"net/http"
)

// serveControl serves /_sandbox/: what a person at a terminal sets and reads of
// the sandbox itself. GET and POST /_sandbox/knobs carry Settings as JSON; GET
// /_sandbox/calls and /_sandbox/unknown are the logs.
func (s *Server) serveControl(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /_sandbox/knobs":
		writeControl(w, http.StatusOK, s.knobs.Get())
	case "POST /_sandbox/knobs":
		var settings Settings
		dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
		dec.DisallowUnknownFields()
		err := dec.Decode(&settings)
		if err == nil {
			err = s.knobs.Set(settings)
		}
		if err != nil {
			writeControl(w, http.StatusBadRequest, obj{"error": err.Error()})
			return
		}
		writeControl(w, http.StatusOK, settings)
	case "GET /_sandbox/calls":
		writeControl(w, http.StatusOK, s.Calls())
	case "GET /_sandbox/unknown":
		writeControl(w, http.StatusOK, s.Unknown())
	default:
		writeControl(w, http.StatusNotFound, obj{"error": "no such control: " + r.Method + " " + r.URL.Path})
	}
}

func writeControl(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	_ = enc.Encode(body) // the client is gone when this fails
}
