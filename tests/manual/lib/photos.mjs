// Photos of documents, drawn by the browser: a sheet with its name and some lines.
export async function drawPhoto(page, title) {
	const url = await page.evaluate((name) => {
		const canvas = document.createElement("canvas");
		canvas.width = 1200;
		canvas.height = 760;
		const pen = canvas.getContext("2d");
		pen.fillStyle = "#e8eef5";
		pen.fillRect(0, 0, canvas.width, canvas.height);
		pen.strokeStyle = "#1b5fa7";
		pen.lineWidth = 12;
		pen.strokeRect(30, 30, canvas.width - 60, canvas.height - 60);
		pen.fillStyle = "#16324f";
		pen.textAlign = "center";
		pen.font = "bold 64px sans-serif";
		pen.fillText(name, canvas.width / 2, 210);
		pen.font = "bold 120px sans-serif";
		pen.fillStyle = "#b42318";
		pen.fillText("样 张", canvas.width / 2, 400);
		pen.fillStyle = "#8aa0b6";
		for (let line = 0; line < 4; line++) pen.fillRect(180, 490 + line * 55, 840 - line * 120, 20);
		return canvas.toDataURL("image/jpeg", 0.9);
	}, title);
	return {
		name: `${title}.jpg`,
		mimeType: "image/jpeg",
		buffer: Buffer.from(url.split(",")[1], "base64"),
	};
}
