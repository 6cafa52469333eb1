package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// manifest is a registered App manifest that waits to be turned into an app.
type manifest struct {
	owner   *account
	options AppOptions
	expires time.Time
}

// createManifest takes an App manifest as github.com/settings/apps/new gets it
// and returns the code that the redirect carries.
func (s *Server) createManifest(owner *account, data []byte) (code string, err error) {
	var in struct {
		Name        string            `json:"name"`
		URL         string            `json:"url"`
		Description string            `json:"description"`
		Permissions map[string]string `json:"default_permissions"`
		Events      []string          `json:"default_events"`
		Hook        struct {
			URL    string `json:"url"`
			Active *bool  `json:"active"`
		} `json:"hook_attributes"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return "", unprocessable("The manifest is not valid JSON")
	}
	if in.Name == "" {
		return "", missingField("IntegrationManifest", "name")
	}
	if in.Hook.Active != nil && !*in.Hook.Active {
		in.Hook.URL = ""
	}
	if in.Permissions == nil {
		in.Permissions = map[string]string{}
	}
	if in.Events == nil {
		in.Events = []string{}
	}
	code = randomToken(20)
	s.manifests[code] = &manifest{owner: owner, expires: s.now().Add(time.Hour), options: AppOptions{Name: in.Name,
		Description: in.Description, URL: in.URL, Owner: owner.login, WebhookURL: in.Hook.URL,
		WebhookSecret: randomToken(20), Permissions: in.Permissions, Events: in.Events}}
	return code, nil
}

func (s *Server) registerManifests() {
	s.route("POST /app-manifests/{code}/conversions", access{}, s.convertManifest)
	s.web.HandleFunc("POST /settings/apps/new", s.newAppFromManifest)
	s.web.HandleFunc("POST /organizations/{org}/settings/apps/new", s.newAppFromManifest)
}

// newAppFromManifest takes the form that starts the manifest flow and sends the
// browser back with a code and the state it came with. GitHub shows a page with
// a button between the two; here the button is pressed at once. The app belongs
// to the organization of the path, else to the person the browser plays, else
// to the user "sandbox"
// (docs.github.com: "Registering a GitHub App from a manifest").
func (s *Server) newAppFromManifest(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	data := []byte(r.PostFormValue("manifest"))
	var in struct {
		Redirect string `json:"redirect_url"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		http.Error(w, "The manifest is not valid JSON", http.StatusUnprocessableEntity)
		return
	}
	to, err := url.Parse(in.Redirect)
	if err != nil || (to.Scheme != "http" && to.Scheme != "https") {
		http.Error(w, "The manifest has no redirect_url", http.StatusUnprocessableEntity)
		return
	}
	code, err := s.manifestFromBrowser(r, data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	q := to.Query()
	q.Set("code", code)
	if state := r.FormValue("state"); state != "" {
		q.Set("state", state)
	}
	to.RawQuery = q.Encode()
	http.Redirect(w, r, to.String(), http.StatusFound)
}

func (s *Server) manifestFromBrowser(r *http.Request, data []byte) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := s.newVisit(r).who
	if name := r.PathValue("org"); name != "" {
		if owner = s.account(name); owner == nil || owner.kind != kindOrg {
			return "", notFound()
		}
	}
	if owner == nil {
		owner = s.addUser("sandbox")
	}
	return s.createManifest(owner, data)
}

// convertManifest makes the app. A code works once, within an hour.
func (s *Server) convertManifest(c *call) (*response, error) {
	m := s.manifests[c.PathValue("code")]
	if m == nil || s.now().After(m.expires) {
		return nil, notFound()
	}
	delete(s.manifests, c.PathValue("code"))
	a, err := s.addApp(m.options)
	if err != nil {
		return nil, unprocessable(err.Error())
	}
	out := s.appJSON(a)
	out["client_secret"], out["webhook_secret"], out["pem"] = a.clientSecret, a.hookSecret, string(a.key.pem)
	return created(out)
}
