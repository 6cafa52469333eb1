package registry

import (
	"bytes"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A packed entity gives every answer that its file gives, to the byte, whatever
// the file holds; and none beside them.
func FuzzProvider(f *testing.F) {
	for _, seed := range []string{
		demoProvider,
		`{"versions":[{"version":"1.0.0","protocols":null,"targets":[]}]}`,
		`{"versions":[{"version":"1.0.0-RC1+b","protocols":[],"shasums_url":"x","shasums_signature_url":"y","targets":[{"os":"plan9","arch":"mips"}]}]}`,
		`{"warnings":["a","<b>"],"versions":[{"version":"2","protocols":["5.0"],"shasums_url":"/releases/download/","discovered":"now",
		  "targets":[{"os":"linux","arch":"arm","shasum":"AB","h1":"h1:x","size":-1},{"os":"linux","arch":"386","shasum":"ab"},{"os":"linux","arch":"arm","shasum":"","size":9}]},
		  {"version":"1.0.0","targets":[]},{"version":"1.0.0","protocols":["6.0"],"targets":[{"os":"linux","arch":"arm","size":3,"h1":"h1:"}]}]}`,
	} {
		f.Add(seed)
	}
	a := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := registrydata.ParseProvider([]byte(text))
		if err != nil {
			return
		}
		keys := []registrydata.SigningKey{{ASCIIArmor: "armor", KeyID: "0123456789ABCDEF"}}
		e := &entity{provider: packProvider(a, data), keys: keys}
		checkAnswers(t, e, "v1/providers/acme/demo/", registrydata.Renderer{}.Provider(a, data, keys))
	})
}

func FuzzModule(f *testing.F) {
	for _, seed := range []string{
		demoModule,
		`{"versions":[{"version":"1.0.0"},{"version":"v1.0.0","commit":""},{"version":"1.0.0-A","discovered":"x"},{"version":"1.0.0-a"}]}`,
		`{"versions":[{"version":"v2","commit":"0123456789012345678901234567890123456789012345678901234567890123"}]}`,
	} {
		f.Add(seed)
	}
	a := registrydata.ModuleAddress{Namespace: "acme", Name: "net", Target: "aws"}
	f.Fuzz(func(t *testing.T, text string) {
		data, err := registrydata.ParseModule([]byte(text))
		if err != nil {
			return
		}
		checkAnswers(t, &entity{module: packModule(a, data)}, "v1/modules/acme/net/aws/", registrydata.Renderer{}.Module(a, data))
	})
}

func checkAnswers(t *testing.T, e *entity, prefix string, want []registrydata.Object) {
	t.Helper()
	for _, o := range want {
		got, ok := e.render(registrydata.Renderer{}, o.Path[len(prefix):])
		if !ok || !bytes.Equal(got.Body, o.Body) || got.Path != o.Path || got.Kind != o.Kind || got.Location != o.Location {
			t.Fatalf("%s: %v %+v\n%s\nwant %+v\n%s", o.Path, ok, got, got.Body, o, o.Body)
		}
	}
	for _, rest := range []string{"", "x", "1.0.0", "download", "1.0.0/download/", "9.9.9/download", "9.9.9/download/linux/amd64", "1.0.0/download//", "1.0.0/download/linux/amd64/", "versions/"} {
		if o, ok := e.render(registrydata.Renderer{}, rest); ok {
			t.Errorf("%q is answered with %s", rest, o.Path)
		}
	}
}

const demoModule = `{"versions":[{"version":"v1.1.0","commit":"b4867e9de3ef9fed5febe827ff2e49330167c627","discovered":"2026-09-08T01:40:54Z"},{"version":"1.0.0+b"}]}`

const demoProvider = `{
  "versions": [
    {
      "version": "1.1.0",
      "protocols": ["6.0"],
      "shasums_url": "https://github.com/acme/terraform-provider-demo/releases/download/v1.1.0/terraform-provider-demo_1.1.0_SHA256SUMS",
      "shasums_signature_url": "https://github.com/acme/terraform-provider-demo/releases/download/v1.1.0/terraform-provider-demo_1.1.0_SHA256SUMS.sig",
      "targets": [
        {"os": "linux", "arch": "amd64", "filename": "terraform-provider-demo_1.1.0_linux_amd64.zip",
         "download_url": "https://github.com/acme/terraform-provider-demo/releases/download/v1.1.0/terraform-provider-demo_1.1.0_linux_amd64.zip",
         "shasum": "2993bda49c973e02a1468dd79c8c012c6d3be8cccf72bd172f3cc3f3f52a761f",
         "h1": "h1:84vf/hqWqyWS/qyX4BslnbMjlSMb0iZLpAifu3DrTY8=", "size": 7187640},
        {"os": "windows", "arch": "arm64", "filename": "other.zip", "download_url": "https://example.org/other.zip",
         "shasum": "3993bda49c973e02a1468dd79c8c012c6d3be8cccf72bd172f3cc3f3f52a761f", "h1": "", "size": 1}
      ],
      "discovered": "2026-10-02T11:40:58.656601032Z"
    },
    {
      "version": "1.0.0-RC1",
      "protocols": ["5.0"],
      "shasums_url": "https://github.com/acme/terraform-provider-demo/releases/download/1.0.0-RC1/terraform-provider-demo_1.0.0-RC1_SHA256SUMS",
      "shasums_signature_url": "https://github.com/acme/terraform-provider-demo/releases/download/1.0.0-RC1/terraform-provider-demo_1.0.0-RC1_SHA256SUMS.sig",
      "targets": [
        {"os": "linux", "arch": "amd64", "filename": "terraform-provider-demo_1.0.0-RC1_linux_amd64.zip",
         "download_url": "https://github.com/acme/terraform-provider-demo/releases/download/1.0.0-RC1/terraform-provider-demo_1.0.0-RC1_linux_amd64.zip",
         "shasum": "2993bda49c973e02a1468dd79c8c012c6d3be8cccf72bd172f3cc3f3f52a761f"}
      ]
    }
  ],
  "warnings": ["This provider is deprecated."]
}`
